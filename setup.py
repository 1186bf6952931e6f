"""Every folder of src/ becomes a package below ``ockle``; everything else stands in pyproject.toml."""

from setuptools import find_namespace_packages, setup

# simulator/site is the example site (data, shipped by package-data), not a package
NAMES = [name for name in find_namespace_packages("src") if not name.startswith(("config.", "simulator.site"))]

setup(packages=["ockle", *(f"ockle.{name}" for name in NAMES)])
