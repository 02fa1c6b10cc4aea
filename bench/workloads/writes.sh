# A write goes to Redis, and is read back by others. Who keeps copies and is not told of it answers with what was there before: those reads are counted.
title='10 % writes, 10,000 keys of 100 bytes'
contenders='webdis nginx-lua hybrid-cache python all-in-one two-processes two-processes-no-copies five-processes five-processes-no-copies'
load='--pattern uniform --connections 64 --writes 0.1'
