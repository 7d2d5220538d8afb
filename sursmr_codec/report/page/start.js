"use strict";
report.table.start();
report.plots.start();
report.detail.start();
