"""Controls: how to ask a server to shut down. One template class and one small file per way."""
