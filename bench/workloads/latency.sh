# How long requests take that come by the clock, at half of what nginx + Lua does at most: the same for all, none of them near its limit.
# Without the Python program, which does not reach that rate.
title='At a fixed rate: half of the most that nginx + Lua answers'
contenders='webdis nginx-lua hybrid-cache all-in-one two-processes two-processes-no-copies five-processes five-processes-no-copies'
load='--pattern uniform --connections 64' half_of=nginx-lua
