-- A gate that is told of a leaked key pauses it by itself here: the file's mode decides who may. This number keeps both
-- databases' schemas in step.
SELECT 1;
