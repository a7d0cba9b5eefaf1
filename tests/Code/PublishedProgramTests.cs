using System.Diagnostics;
using System.Runtime.InteropServices;
using Xunit;

namespace Orleans.Joblib.Tests.Code;

/// <summary>Code sets of programs in every form that .NET publishes: each is built, run, and writes the pieces that it would send; these then run here.</summary>
/// <remarks>
/// Minutes, and for self-contained and ReadyToRun programs packages of the SDK: only on request,
/// <c>tests/bin/Release/net10.0/Orleans.Joblib.Tests -class Orleans.Joblib.Tests.Code.PublishedProgramTests -explicit only</c>.
/// </remarks>
public sealed class PublishedProgramTests : IDisposable
{
    private const string Program = """
        // Named as the tests are, so that it sees what is internal.
        var code = new Orleans.Joblib.CodeSet();
        var watch = System.Diagnostics.Stopwatch.StartNew();
        code.Add(typeof(Probe).Assembly);
        var snapshot = code.Snapshot();
        System.Console.WriteLine($"location '{typeof(Probe).Assembly.Location}', {snapshot.Manifest.Items.Length} pieces in {watch.Elapsed.TotalMilliseconds:0} ms");
        foreach (var item in snapshot.Manifest.Items)
        {
            System.Console.WriteLine($"{item.Name} {item.Length} {item.Platform} {snapshot.Sources[item.Hash].Place}");
            System.IO.File.WriteAllBytes(System.IO.Path.Combine(args[0], item.Name), snapshot.Sources[item.Hash].ReadAll());
        }

        public static class Probe
        {
            public static string Answer() => typeof(CsCheck.Gen).Assembly.GetName().Name + " 42";
        }
        """;

    private readonly string _folder = Directory.CreateTempSubdirectory("joblib-published-").FullName;
    private readonly string _sent;

    public PublishedProgramTests() => _sent = Directory.CreateDirectory(Path.Combine(_folder, "sent")).FullName;

    public void Dispose() => Directory.Delete(_folder, recursive: true);

    [Theory(Explicit = true)]
    [InlineData("SelfContained=false")]
    [InlineData("SelfContained=true")]
    [InlineData("SelfContained=true", "EnableCompressionInSingleFile=true")]
    [InlineData("SelfContained=false", "PublishReadyToRun=true")]
    [InlineData("SelfContained=true", "PublishReadyToRun=true", "PublishReadyToRunComposite=true")]
    public void SingleFile_ShipsItsCode(params string[] properties)
    {
        File.WriteAllText(Path.Combine(_folder, "Program.cs"), Program);
        File.WriteAllText(Path.Combine(_folder, "Published.csproj"), $"""
            <Project Sdk="Microsoft.NET.Sdk">
              <PropertyGroup>
                <OutputType>Exe</OutputType>
                <PublishSingleFile>true</PublishSingleFile>
                <RuntimeIdentifier>{RuntimeInformation.RuntimeIdentifier}</RuntimeIdentifier>
                {string.Concat(properties.Select(property => property.Split('=')).Select(pair => $"<{pair[0]}>{pair[1]}</{pair[0]}>"))}
              </PropertyGroup>
              {References(package: true)}
            </Project>
            """);
        Run("dotnet", "publish", "-c", "Release", "-o", "out", "-nodeReuse:false");
        Verify(Run(Path.Combine(_folder, "out", "Orleans.Joblib.Tests"), _sent), single: true);
    }

    [Fact(Explicit = true)]
    public void FileBased_ShipsItsCode()
    {
        File.WriteAllText(Path.Combine(_folder, "app.cs"), $"#:package CsCheck@{PackageVersion}\n{Program}");
        File.WriteAllText(Path.Combine(_folder, "Directory.Build.props"), $"<Project>{References(package: false)}</Project>");
        Verify(Run("dotnet", "run", "-c", "Release", "app.cs", _sent), single: false);
    }

    private static string PackageVersion => typeof(CsCheck.Gen).Assembly.GetName().Version!.ToString(3);

    private static string References(bool package) => $"""
        <PropertyGroup>
          <TargetFramework>net10.0</TargetFramework>
          <AssemblyName>Orleans.Joblib.Tests</AssemblyName>
          <NuGetAudit>false</NuGetAudit>
        </PropertyGroup>
        <ItemGroup>
          {(package ? $"<PackageReference Include=\"CsCheck\" Version=\"{PackageVersion}\" />" : "")}
          <Reference Include="{AppContext.BaseDirectory}Orleans.Joblib.Execution.dll" />
          <Reference Include="{AppContext.BaseDirectory}Orleans.Joblib.Abstractions.dll" />
          <Reference Include="{AppContext.BaseDirectory}Orleans.Core.Abstractions.dll" />
          <Reference Include="{AppContext.BaseDirectory}Orleans.Serialization.Abstractions.dll" />
          <Reference Include="{AppContext.BaseDirectory}Orleans.Serialization.dll" />
        </ItemGroup>
        """;

    private void Verify(string output, bool single)
    {
        TestContext.Current.TestOutputHelper?.WriteLine(output);
        Assert.Equal(single, output.Contains("location ''", StringComparison.Ordinal));
        Assert.Equal(["CsCheck", "Orleans.Joblib.Tests"], Directory.GetFiles(_sent).Select(Path.GetFileName).Order());
        using var silo = new SiloCode();
        byte[][] pieces = [.. Directory.GetFiles(_sent).Select(File.ReadAllBytes)];
        CodeItem[] items = [.. pieces.Select(bytes => AssemblyFacts.Read(bytes).Item)];
        var manifest = CodeManifest.Create(items);
        silo.Contexts.Register(manifest);
        foreach (var bytes in pieces)
        {
            silo.Put(bytes);
        }

        Assert.Empty(silo.Contexts.Register(manifest));
        using var lease = silo.Contexts.TryAcquire(manifest.Id)!;
        var program = lease.Resolver.Resolve("Orleans.Joblib.Tests", Array.Find(items, item => item.Name == "Orleans.Joblib.Tests")!.Mvid);
        Assert.Equal("CsCheck 42", program.GetType("Probe", throwOnError: true)!.GetMethod("Answer")!.Invoke(null, null));
    }

    private string Run(string program, params string[] arguments)
    {
        var start = new ProcessStartInfo(program, arguments) { WorkingDirectory = _folder, RedirectStandardOutput = true, RedirectStandardError = true };
        start.Environment["MSBUILDDISABLENODEREUSE"] = "1";
        start.Environment["DOTNET_CLI_USE_MSBUILD_SERVER"] = "0";
        using var process = Process.Start(start)!;
        var errors = process.StandardError.ReadToEndAsync();
        var output = process.StandardOutput.ReadToEndAsync();
        if (!process.WaitForExit(TimeSpan.FromMinutes(5)))
        {
            process.Kill(entireProcessTree: true);
        }

        process.WaitForExit();
        Assert.True(process.ExitCode == 0, $"{program} {string.Join(' ', arguments)}: {output.Result}{errors.Result}");
        return output.Result;
    }
}
