"""What runs on a managed machine: it shuts the machine down when its smart plug asks for that."""
