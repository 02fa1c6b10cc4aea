# The same with NEAR_CACHE_BYTES=0: every read goes to the node.
title='RpOrleans, gateway + silo, no copies'
speaks=proxy

prepare() { projects+=(src/Gateway src/Silo); }
describe() { :; }
serve() { serve_cluster 1 1 NEAR_CACHE_BYTES=0; }
