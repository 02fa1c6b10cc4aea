# The same with NEAR_CACHE_BYTES=0: every read goes to a node.
title='RpOrleans, gateway + 8 silos, no copies'
speaks=proxy

prepare() { projects+=(src/Gateway src/Silo); }
describe() { :; }
serve() { serve_cluster 1 8 NEAR_CACHE_BYTES=0; }
