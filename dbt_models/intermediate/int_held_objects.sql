-- Held means: looked at. An object that the org lacks, or that nobody extracted, has no window.
select distinct
    day as session_date,
    dmo as object_name,
from control.lake_windows
where day in (select day from control.touched_days)

union

-- A catalogue is held for every day, whenever it was read.
select
    touched.day as session_date,
    windows.dmo as object_name,
from control.touched_days as touched
inner join control.lake_windows as windows
    on windows.dmo in ('tags', 'tag_definitions', 'tag_definition_associations')
