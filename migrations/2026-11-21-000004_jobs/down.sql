DROP TABLE cron_ticks, jobs;
