-- Here no mark lifts a check: triggers look at each value. This number keeps both databases' schemas in step.
SELECT 1;
