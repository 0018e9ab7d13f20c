// Fetches this page again every two seconds and shows its live part, until that is switched off;
// not while somebody stands in it by keyboard, who would be thrown out.
const control = document.querySelector(".live-control");
const isOn = document.getElementById("live-on");
const state = document.getElementById("live-state");

async function update() {
  const live = document.getElementById("live");
  if (!isOn.checked || document.hidden || live.contains(document.activeElement)) return;
  try {
    const answer = await fetch(location.href);
    const page = new DOMParser().parseFromString(await answer.text(), "text/html");
    live.innerHTML = page.getElementById("live").innerHTML;
    state.textContent = "";
  } catch {
    state.textContent = "The sandbox does not answer.";
  }
}

control.hidden = false;
setInterval(update, 2000);
