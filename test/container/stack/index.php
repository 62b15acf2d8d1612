<?php
$db = pg_connect('host=127.0.0.1 user=app dbname=postgres port=' . getenv('PORT_DB'));
echo pg_fetch_row(pg_query($db, "select who from visits limit 1"))[0], "\n";
