# A hundred keys in one request: POST /v1/keys:batchGet, of webdis MGET.
# Without those that have no batches: HybridCache reads one key at a time, and so does the Python program.
title='Batches of 100 keys, 10,000 keys of 100 bytes'
contenders='webdis nginx-lua all-in-one two-processes two-processes-no-copies five-processes five-processes-no-copies'
load='--pattern uniform --connections 64 --batch 100'
