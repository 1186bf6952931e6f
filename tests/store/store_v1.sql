BEGIN TRANSACTION;
CREATE TABLE durations (
	name VARCHAR NOT NULL, 
	seconds JSON, 
	PRIMARY KEY (name)
);
INSERT INTO "durations" VALUES('on d','[10.392]');
INSERT INTO "durations" VALUES('off c','[0.0]');
CREATE TABLE events (
	id BIGINT NOT NULL, 
	time FLOAT, 
	kind VARCHAR, 
	server VARCHAR, 
	text TEXT, 
	data JSON, 
	PRIMARY KEY (id)
);
INSERT INTO "events" VALUES(5,1767225600.0,'run','','run 1: on d, ordered by operator','{"run": 1, "state": "running"}');
INSERT INTO "events" VALUES(6,1767225600.0,'state','d','d: Switching on','{"before": "OFF", "state": "Switching on", "why": ""}');
INSERT INTO "events" VALUES(11,1.76722561039226794244e+09,'state','d','d: OK','{"before": "Switching on", "state": "OK", "why": ""}');
INSERT INTO "events" VALUES(13,1.76722561039226794244e+09,'run','','run 1 done: 1 done, 0 failed, 0 skipped','{"run": 1, "state": "done"}');
INSERT INTO "events" VALUES(14,1.76722561039226794244e+09,'state','c','c: Forced off','{"before": "OFF", "state": "Forced off", "why": ""}');
INSERT INTO "events" VALUES(15,1.76722561039226794244e+09,'force','c','c: force off','{"note": "being repaired"}');
INSERT INTO "events" VALUES(16,1.76722561039226794244e+09,'hold','d','d: held','{"note": "disk is being copied"}');
INSERT INTO "events" VALUES(17,1.76722561039226794244e+09,'auto','','AutoControl is on','{"state": true}');
INSERT INTO "events" VALUES(18,1.76722565039226794242e+09,'run','','run 2: on b, ordered by operator','{"run": 2, "state": "running"}');
INSERT INTO "events" VALUES(19,1.76722565039226794242e+09,'state','a','a: Switching on','{"before": "OFF", "state": "Switching on", "why": ""}');
CREATE TABLE intents (
	id BIGINT NOT NULL, 
	run BIGINT, 
	server VARCHAR, 
	object VARCHAR, 
	verb VARCHAR, 
	at FLOAT, 
	outcome TEXT, 
	done_at FLOAT, 
	PRIMARY KEY (id)
);
INSERT INTO "intents" VALUES(1,1,'d','d.psu1','on',1767225600.0,'verified',1767225600.0);
INSERT INTO "intents" VALUES(2,2,'a','a.psu1','on',1.76722565039226794242e+09,'verified',1.76722565039226794242e+09);
CREATE TABLE meta (
	name VARCHAR NOT NULL, 
	value TEXT, 
	PRIMARY KEY (name)
);
INSERT INTO "meta" VALUES('schema','1');
INSERT INTO "meta" VALUES('auto','on');
CREATE TABLE outlets (
	name VARCHAR NOT NULL, 
	off_at FLOAT, 
	PRIMARY KEY (name)
);
CREATE TABLE runs (
	id BIGINT NOT NULL, 
	state VARCHAR, 
	created FLOAT, 
	body JSON, 
	PRIMARY KEY (id)
);
INSERT INTO "runs" VALUES(1,'done',1767225600.0,'{"action": "on", "targets": ["d"], "who": "operator", "via": "internal", "note": "", "ended": 1767225610.392268, "total_s": 60.0, "timeout": 900.0, "graceful": true, "unguarded": false, "before": {"d": null}, "orders": {"d": 1}, "ending": null, "stage": 0, "stages": [[{"server": "d", "action": "on", "state": "done", "why": "", "started": 1767225600.0, "ended": 1767225610.392268, "eta_s": 60.0}]]}');
INSERT INTO "runs" VALUES(2,'running',1.76722565039226794242e+09,'{"action": "on", "targets": ["b"], "who": "operator", "via": "internal", "note": "", "ended": null, "total_s": 120.0, "timeout": 900.0, "graceful": true, "unguarded": false, "before": {"a": null, "b": null}, "orders": {"a": 1, "b": 1}, "ending": null, "stage": 0, "stages": [[{"server": "a", "action": "on", "state": "waiting", "why": "", "started": null, "ended": null, "eta_s": 60.0}, {"server": "b", "action": "on", "state": "waiting", "why": "", "started": null, "ended": null, "eta_s": 60.0}]]}');
CREATE TABLE servers (
	name VARCHAR NOT NULL, 
	desired VARCHAR, 
	desired_gen BIGINT, 
	held TEXT, 
	forced VARCHAR, 
	forced_note TEXT, 
	start_attempts INTEGER, 
	stop_attempts INTEGER, 
	retry_in FLOAT, 
	shutdown_sent BOOLEAN, 
	failure VARCHAR, 
	error TEXT, 
	PRIMARY KEY (name)
);
INSERT INTO "servers" VALUES('a','on',1,'',NULL,'',0,0,0.0,0,'','');
INSERT INTO "servers" VALUES('b','on',1,'',NULL,'',0,0,0.0,0,'','');
INSERT INTO "servers" VALUES('c',NULL,0,'','off','being repaired',0,0,0.0,0,'','');
INSERT INTO "servers" VALUES('d','on',1,'disk is being copied',NULL,'',0,0,0.0,0,'','');
COMMIT;
