using Garnet;

// Microsoft Garnet as a server of its own, as its own program starts it; the options are Garnet's.
using var server = new GarnetServer(args);
server.Start();
Thread.Sleep(Timeout.Infinite); // until it is told to end
