"""Outlets: what feeds a server. One template class and one small file per type of PDU or plug."""
