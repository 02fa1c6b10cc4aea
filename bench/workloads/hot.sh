# One key that everybody wants: where sharding alone would leave one node with all the work.
title='One key with 90 % of the reads, 10,000 keys of 100 bytes'
contenders='webdis nginx-lua hybrid-cache python all-in-one two-processes two-processes-no-copies five-processes five-processes-no-copies'
load='--pattern hot --connections 64'
beside='--pattern uniform --connections 64'
