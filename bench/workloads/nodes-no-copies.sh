# The same where every read goes to a node. A workload of its own, so that no other eight nodes idle beside: they would take a third of the machine.
title='One node and eight without copies, 10,000 keys of 100 bytes'
contenders='two-processes-no-copies eight-nodes-no-copies'
load='--pattern uniform --connections 64'
settle=45 warm=12
