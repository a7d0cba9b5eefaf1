using System.Diagnostics;
using Xunit;

namespace Orleans.Joblib.Tests.Cli;

/// <summary>Nonsense, clusters that are not there, and the silo.</summary>
public sealed class CommandLineTests
{
    [Theory]
    [InlineData("")]
    [InlineData("statsu")]
    [InlineData("status --nonsense")]
    [InlineData("status --cluster redis://")]
    [InlineData("status --cluster http://host")]
    [InlineData("status --connect-timeout 0")]
    [InlineData("status --connect-timeout soon")]
    [InlineData("runs --ended -1")]
    [InlineData("watch --interval 0")]
    [InlineData("cancel")]
    [InlineData("cancel run-seven")]
    [InlineData("cancel 00112233445566778899aabbccddeeff0")]
    [InlineData("drain")]
    [InlineData("drain --timeout -1 silo")]
    [InlineData("bench --seconds 0")]
    [InlineData("bench --seconds NaN")]
    [InlineData("silo --cluster redis://")]
    public async Task Arguments_Nonsense_ExitWithTwoAndAreNamed(string arguments)
    {
        using var process = CliProcess.Launch(arguments.Split(' ', StringSplitOptions.RemoveEmptyEntries));
        var answer = await process.AnswerAsync();
        Assert.True(answer.Exited(2).Output.Length > 0);
    }

    [Fact]
    public async Task Arguments_NonsenseWithJson_AreToldAsJson()
    {
        var error = (await CliProcess.RunAsync("bench", "--seconds", "0", "--json")).Exited(2).Json.GetProperty("error");
        Assert.Equal(2, error.GetProperty("exitCode").GetInt32());
        Assert.Contains("--seconds must not be '0'", error.GetProperty("message").GetString(), StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("status")]
    [InlineData("runs")]
    [InlineData("watch")]
    [InlineData("cancel ab")]
    [InlineData("drain 127.0.0.1:11111")]
    [InlineData("bench")]
    public async Task Cluster_NotThere_ExitsWithThreeAndSaysWhere(string arguments)
    {
        var port = FreePorts.Next();
        var error = (await CliProcess.RunAsync([.. arguments.Split(' '), "--json", "--connect-timeout", "1", "--cluster", $"localhost:{port}"])).Exited(3).Json.GetProperty("error");
        Assert.Equal(3, error.GetProperty("exitCode").GetInt32());
        Assert.Contains($"'localhost:{port}?cluster=joblib' was not reached", error.GetProperty("message").GetString(), StringComparison.Ordinal);
        Assert.Equal("docs/errors.md#cluster-not-reached", error.GetProperty("help").GetString());
    }

    [Fact]
    public async Task Certificate_Unreadable_ExitsWithTwo()
    {
        var answer = await CliProcess.RunAsync(["status", "--cluster", "localhost:1"], new Dictionary<string, string?> { ["JOBLIB_TLS_CERTIFICATE"] = "/none.pem", ["JOBLIB_TLS_CA"] = "/none.pem" });
        Assert.Contains("there is no file '/none.pem'", answer.Exited(2).Output, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Silo_Json_SaysWhereItIsAndEndsAtSigterm()
    {
        var port = FreePorts.Next();
        using var silo = CliProcess.Launch(
        [
            "silo", "--json", "--primary-port", port.ToString(), "--silo-port", port.ToString(), "--gateway-port", "0", "--health-port", "0", "--slots", "3",
            "--exit-with-parent", Environment.ProcessId.ToString(),
        ]);
        var ready = silo.Until(line => line.TryGetProperty("gateway", out _), "the line that says it is ready");
        Assert.Equal(3, ready.GetProperty("slots").GetInt32());
        Assert.Equal(silo.Id, ready.GetProperty("pid").GetInt32());

        // What it runs are calls like those of any silo.
        var status = (await CliProcess.RunAsync("status", "--json", "--cluster", ready.GetProperty("gateway").GetString()!)).Exited(0).Json;
        Assert.Equal(ready.GetProperty("silo").GetString(), Assert.Single(status.GetProperty("silos").EnumerateArray()).GetProperty("silo").GetString());
        Assert.Equal(0, await silo.TerminateAsync());
    }

    [Fact]
    public async Task Watch_ReaderOfItsOutputGoes_Ends()
    {
        Assert.SkipWhen(OperatingSystem.IsWindows(), "There is no sh.");
        await using var guest = await GuestSilo.StartAsync();
        using var shell = Process.Start(new ProcessStartInfo(
            "/bin/sh", ["-c", "(dotnet \"$0\" watch --json --interval 0.1 --cluster \"$1\" --connect-timeout \"$2\"; echo \"exit code $?\" >&2) | head -1", ChildProcess.PathOf("CliProgram"), guest.Cluster, $"{Patience.Limit.TotalSeconds}"])
        {
            RedirectStandardOutput = true,
            RedirectStandardError = true,
        })!;
        using var patience = new CancellationTokenSource(Patience.Limit);
        try
        {
            var output = await shell.StandardOutput.ReadToEndAsync(patience.Token);
            Assert.StartsWith("{\"cluster\"", output, StringComparison.Ordinal);
            Assert.Equal("exit code 0", (await shell.StandardError.ReadToEndAsync(patience.Token)).Trim());
        }
        finally
        {
            shell.Kill(entireProcessTree: true);
        }
    }
}
