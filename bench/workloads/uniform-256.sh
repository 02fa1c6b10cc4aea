# The same with more clients: how each copes with many connections.
title='The same, 256 connections'
contenders='webdis nginx-lua hybrid-cache python all-in-one two-processes two-processes-no-copies five-processes five-processes-no-copies'
load='--pattern uniform --connections 256'
