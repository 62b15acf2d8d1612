create table visits (who text);
insert into visits values ('migration');
