# What a cache is for: all that is asked for is in memory.
title='10,000 keys of 100 bytes, each as often as another, 64 connections'
contenders='webdis nginx-lua hybrid-cache python all-in-one two-processes two-processes-no-copies five-processes five-processes-no-copies'
load='--pattern uniform --connections 64'
