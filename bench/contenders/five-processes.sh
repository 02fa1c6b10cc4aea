# Two gateways, asked by half of the connections each, and three nodes.
title='RpOrleans, 2 gateways + 3 silos'
speaks=proxy

prepare() { projects+=(src/Gateway src/Silo); }
describe() { :; }
serve() { serve_cluster 2 3; }
