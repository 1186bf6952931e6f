"""Pages whose parts change by themselves: asked once for all who look, drawn once for all who may do the same."""
