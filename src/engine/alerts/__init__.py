"""Alerts: from what is wrong now to what people are told. Pure but for the looking itself."""
