"""Singer tap: accounts, users and events out of Totango."""
