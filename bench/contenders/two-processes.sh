# A gateway, and its node in another process.
title='RpOrleans, gateway + silo'
speaks=proxy

prepare() { projects+=(src/Gateway src/Silo); }
describe() { :; }
serve() { serve_cluster 1 1; }
