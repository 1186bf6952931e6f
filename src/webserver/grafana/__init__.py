"""What Grafana's JSON data sources ask for: requests checked, answers shaped. Knows neither requests nor the daemon.

Source: the README of simpod-json-datasource, which goes on with what grafana-simple-json-datasource began.
"""
