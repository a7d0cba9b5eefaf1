using Garnet;

// A Redis for tests: Microsoft.Garnet, in memory only, on the loopback interface or an address given. It ends when its standard input does, so with the process that started it.
if (args is not [var address, var port])
{
    Console.Error.WriteLine("usage: redis-host ADDRESS PORT");
    return 2;
}

using var server = new GarnetServer(["--bind", address, "--port", port, "--lua", "--memory", "64m", "--page", "4m", "--index", "1m"]);
server.Start();
Console.WriteLine($"redis-host ready port={port}");
while (Console.In.ReadLine() is not null)
{
}

return 0;
