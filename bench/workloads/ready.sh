# From the start of the process that is asked to its first right answer, over what it caches; the processes behind it are up.
title='From start to the first right answer'
contenders='webdis nginx-lua hybrid-cache python all-in-one two-processes'
measure=ready
