"""The netboot pages: how a board looks, and what of the page has changed since a browser asked last."""
