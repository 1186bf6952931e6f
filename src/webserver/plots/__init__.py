"""Values and states over time, drawn on the server: SVG with classes and no styles, and the same as tables."""
