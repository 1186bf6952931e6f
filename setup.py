"""Every folder of src/ becomes a package below ``ockle``; everything else stands in pyproject.toml."""

from setuptools import find_namespace_packages, setup

# folders of data, which package-data ships, are no packages
DATA = (
    "config.",
    "netboot.initramfs.scripts",
    "simulator.site",
    "webserver.locale",
    "webserver.static",
    "webserver.templates",
)
NAMES = [name for name in find_namespace_packages("src") if not name.startswith(DATA)]

setup(packages=["ockle", *(f"ockle.{name}" for name in NAMES)])
