"""The alerts page: what is wrong, what was told, and who has it in hand."""
