"""Channels: where alerts are sent. One template class and one small file per way."""
