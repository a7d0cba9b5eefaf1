using Garnet;

// A Redis for tests: Microsoft.Garnet, in memory only, on the loopback interface or an address given, with a password or none. It ends when its standard input does, so with the process that started it.
if (args is not [var address, var port, .. { Length: <= 1 } password])
{
    Console.Error.WriteLine("usage: redis-host ADDRESS PORT [PASSWORD]");
    return 2;
}

using var server = new GarnetServer(["--bind", address, "--port", port, "--lua", "--memory", "64m", "--page", "4m", "--index", "1m", .. password.Length == 0 ? [] : new[] { "--auth", "Password", "--password", password[0] }]);
server.Start();
Console.WriteLine($"redis-host ready port={port}");
while (Console.In.ReadLine() is not null)
{
}

return 0;
