"""What outlets, controls and tests have in common, and how their types are found."""
