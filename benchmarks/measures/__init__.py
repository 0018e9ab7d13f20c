"""What is measured, a module for each subject; each yields lines of the table."""
