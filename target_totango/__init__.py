"""Singer target: accounts and users into Totango, every row confirmed or explained."""
