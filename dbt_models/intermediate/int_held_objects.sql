-- Held means: looked at. An object that the org lacks, or that nobody extracted, has no window.
select distinct
    day as session_date,
    dmo as object_name,
from control.lake_windows
where day in (select day from control.touched_days)
