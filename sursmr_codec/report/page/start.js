"use strict";
report.table.start();
report.detail.start();
