"""Where each server of a network stands in its picture, and how the lines between them run.

Left to right: what is needed stands left of what needs it. Pure: names in, positions out, the same for the same network
whatever order it is told in. Knows neither the web nor SVG.

    topology       the network as the layout sees it      folding        equal leaves as one stack
    layers         the column of each server               neighbourhood  what is near a server
    proper         long lines cut into pieces              ordering       who stands above whom in a column
    coordinates    how far down                            routes         the points that a line runs through
    packing        parts that nothing joins                arrange        all of it, in this order
"""
