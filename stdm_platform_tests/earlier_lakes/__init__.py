"""Small lakes written by earlier versions, each with the marts that it gave then.

`2026_11_21` was written at commit 5bbad2d from a sandbox org (`--days 3 --sessions-per-day 4 --end
2026-11-19 --seed 11`): the 17th settled by its one reading, the 18th read twice and open, the 19th
as two open windows.
"""
