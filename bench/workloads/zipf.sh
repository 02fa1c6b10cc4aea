# More keys than fit: a tenth of them, in all processes of a contender together. What is not held is read from Redis.
title='Zipf 0.99 over 1,000,000 keys of 100 bytes, room for 100,000'
contenders='webdis nginx-lua hybrid-cache python all-in-one two-processes two-processes-no-copies five-processes five-processes-no-copies'
keys=1000000 warm=3
load='--pattern zipf --connections 64'
