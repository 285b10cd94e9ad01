#!/bin/bash
# SPDX-License-Identifier: MIT
# Runs in a server: PostgreSQL with a database "shop" of the role shopper, who logs in over the network.

export DEBIAN_FRONTEND=noninteractive
# the release's version, so that there is an update
codename=$(. /etc/os-release && echo "$VERSION_CODENAME")
apt-get update -qq && apt-get install -qqy --no-install-recommends -t "$codename" postgresql || exit 1
setpriv --reuid postgres --regid postgres --init-groups -- psql -qX -v ON_ERROR_STOP=1 <<S
CREATE ROLE shopper LOGIN PASSWORD 'shopper-secret';
CREATE DATABASE shop OWNER shopper;
CREATE DATABASE "odd, name" OWNER shopper;
ALTER DATABASE shop SET work_mem = '8MB';
\c shop
SET ROLE shopper;
CREATE SCHEMA sales;
CREATE TABLE sales.item (id serial PRIMARY KEY, name text, price numeric(9,2), photo bytea, at timestamptz DEFAULT now());
INSERT INTO sales.item (name, price, photo) SELECT 'item ' || i, i * 1.1, sha256(i::text::bytea)
	FROM generate_series(1, 5000) i;
CREATE TABLE sales.sold (item int REFERENCES sales.item, n int, day date) PARTITION BY RANGE (day);
CREATE TABLE sales.sold_2026 PARTITION OF sales.sold FOR VALUES FROM ('2026-01-01') TO ('2027-01-01');
INSERT INTO sales.sold SELECT i, i % 7, date '2026-01-01' + i % 300 FROM generate_series(1, 2000) i;
CREATE VIEW sales.best AS SELECT item, sum(n) FROM sales.sold GROUP BY 1;
S
