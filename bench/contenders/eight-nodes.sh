# A gateway, and eight nodes: what a read costs more than with one.
title='RpOrleans, gateway + 8 silos'
speaks=proxy

prepare() { projects+=(src/Gateway src/Silo); }
describe() { :; }
serve() { serve_cluster 1 8; }
