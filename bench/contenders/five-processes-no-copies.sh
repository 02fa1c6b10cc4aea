# The same with NEAR_CACHE_BYTES=0: every read goes to a node.
title='RpOrleans, 2 gateways + 3 silos, no copies'
speaks=proxy

prepare() { projects+=(src/Gateway src/Silo); }
describe() { :; }
serve() { serve_cluster 2 3 NEAR_CACHE_BYTES=0; }
