using System.Reflection;
using System.Reflection.Emit;
using System.Runtime.Loader;
using Microsoft.CodeAnalysis.CSharp.Scripting;
using Microsoft.CodeAnalysis.Scripting;
using Xunit;

namespace Orleans.Joblib.Tests.Code;

public sealed class CodeSetTests : IDisposable
{
    private readonly Compiled _program = new();

    public void Dispose() => _program.Dispose();

    [Fact]
    public void Add_AssemblyWithReferences_HoldsTheClosureWithoutTheFramework()
    {
        _program.Compile("Deepest", "public static class C { public static int F() => 3; }");
        _program.Compile("Middle", "public static class B { public static int F() => C.F() + System.Linq.Enumerable.Count(new[] { 1 }); }", "Deepest");
        _program.Compile("Top", "public static class A { public static int F() => B.F(); }", "Middle", "Deepest");
        Assert.Equal(["Deepest", "Middle", "Top"], Names(SiloCode.SnapshotOf(_program.Load("Top"))));
    }

    [Fact]
    public void Add_ReferenceThatIsNowhere_IsLeftOut()
    {
        var path = _program.Compile("Optional", "public static class B { public static int F() => 1; }");
        _program.Compile("Top", "public static class A { public static int F() => B.F(); }", "Optional");
        File.Delete(path);
        Assert.Equal(["Top"], Names(SiloCode.SnapshotOf(_program.Load("Top"))));
    }

    [Theory]
    [InlineData(typeof(object))]
    [InlineData(typeof(Enumerable))]
    [InlineData(typeof(System.Text.Json.JsonSerializer))]
    [InlineData(typeof(JoblibException))]
    [InlineData(typeof(JoblibParallel))]
    [InlineData(typeof(LocalCluster))]
    [InlineData(typeof(IGrainFactory))]
    public void Add_SharedCode_AddsNothing(Type type) => Assert.Empty(Names(SiloCode.SnapshotOf(type.Assembly)));

    [Theory]
    [InlineData(typeof(CodeSetTests))]
    [InlineData(typeof(Microsoft.CodeAnalysis.CSharp.CSharpCompilation))]
    [InlineData(typeof(CsCheck.Gen))]
    public void IsShared_UserCodeAndPackages_AreNot(Type type) => Assert.False(SharedCode.IsShared(type.Assembly));

    [Theory]
    [InlineData(typeof(object))]
    [InlineData(typeof(JoblibParallel))]
    [InlineData(typeof(IGrain))]
    [InlineData(typeof(Microsoft.Extensions.Logging.ILogger))]
    public void IsShared_TheFrameworkOrleansAndWhatTheirMembersTake_Are(Type type) => Assert.True(SharedCode.IsShared(type.Assembly));

    [Theory]
    [InlineData("System.Text.Json", 10, true)]
    [InlineData("System.Text.Json", 99, false)]
    [InlineData("Microsoft.VisualBasic.Core", 15, true)]
    public void IsShared_PackageNewerThanTheFramework_IsNot(string name, int major, bool shared) => Assert.Equal(shared, SharedCode.IsShared(name, new Version(major, 0, 0, 0)));

    [Fact]
    public void Add_ThisProgram_ShipsItsPackages()
    {
        var names = Names(SiloCode.SnapshotOf(typeof(CodeSetTests).Assembly));
        Assert.Contains("Orleans.Joblib.Tests", names);
        Assert.Contains("CsCheck", names);
        Assert.DoesNotContain("Microsoft.Extensions.Logging.Abstractions", names);
        Assert.DoesNotContain("Orleans.Joblib", names);
        Assert.DoesNotContain("System.Runtime", names);
    }

    [Fact]
    public void Snapshot_NothingNew_IsTheSameObject()
    {
        _program.Compile("Top", "public static class A;");
        var code = new CodeSet();
        code.Add(_program.Load("Top"));
        var first = code.Snapshot();
        code.Add(_program.Load("Top"));
        code.Add(typeof(object).Assembly);
        Assert.Same(first, code.Snapshot());
    }

    [Fact]
    public void Snapshot_AfterGrowth_IsAnotherSetThatExtendsTheFirst()
    {
        _program.Compile("One", "public static class A;");
        _program.Compile("Two", "public static class B;");
        var code = new CodeSet();
        code.Add(_program.Load("One"));
        var first = code.Snapshot().Manifest;
        code.Add(_program.Load("Two"));
        var second = code.Snapshot().Manifest;
        Assert.NotEqual(first.Id, second.Id);
        Assert.Equal([first.Id], second.Earlier);
        Assert.Empty(first.Earlier);
    }

    [Fact]
    public void Snapshot_AssembliesAddedInAnotherOrder_HasTheSameId()
    {
        _program.Compile("One", "public static class A;");
        _program.Compile("Two", "public static class B;");
        var (one, two) = (_program.Load("One"), _program.Load("Two"));
        Assert.Equal(SiloCode.SnapshotOf(one, two).Manifest.Id, SiloCode.SnapshotOf(two, one).Manifest.Id);
    }

    [Fact]
    public void Add_FromManyThreads_AddsEachOnce()
    {
        Assembly[] assemblies = [.. Enumerable.Range(0, 8).Select(i => { _program.Compile($"A{i}", $"public static class C{i};"); return _program.Load($"A{i}"); })];
        var code = new CodeSet();
        System.Threading.Tasks.Parallel.For(0, 64, i => code.Add(assemblies[i % assemblies.Length]));
        Assert.Equal(8, code.Snapshot().Manifest.Items.Length);
    }

    [Fact]
    public void Add_OneNameInTwoBuilds_IsRefused()
    {
        _program.Compile("Top", "public static class A;");
        using var other = new Compiled();
        other.Compile("Top", "public static class Changed;");
        var code = new CodeSet();
        code.Add(_program.Load("Top"));
        var before = code.Snapshot();
        var error = Assert.Throws<JoblibException>(() => code.Add(other.Load("Top")));
        Assert.Contains("two different 'Top'", error.Message);
        Assert.Same(before, code.Snapshot());
    }

    [Fact]
    public void Add_AssemblyLoadedFromBytes_RecoversItsFile()
    {
        var bytes = Compiled.Emit("InMemory", "public static class A { public static readonly byte[] Data = { 1, 2, 3, 4, 5, 6, 7, 8, 9 }; }");
        var code = SiloCode.SnapshotOf(Assembly.Load(bytes));
        Assert.Equal(bytes, code.Sources[code.Manifest.Items.Single().Hash].ReadAll());
    }

    [Fact]
    public void Add_AssemblyLoadedFromBytes_OfAnySize_RecoversItsFile()
    {
        // Metadata that begins on the first page, and far behind it.
        foreach (var lines in (int[])[0, 1, 10, 100, 1000, 5000])
        {
            var body = string.Join('\n', Enumerable.Range(0, lines).Select(i => $"public static int F{i}(int x) => x * {i} + {lines};"));
            var bytes = Compiled.Emit($"Size{lines}", $"public static class A {{ {body} }}");
            var code = SiloCode.SnapshotOf(new AssemblyLoadContext("bytes", isCollectible: true).LoadFromStream(new MemoryStream(bytes)));
            Assert.Equal(CodeHash.Of(bytes), code.Manifest.Items.Single().Hash);
        }
    }

    [Fact]
    public async Task Add_ScriptSubmissions_HoldsThemAndWhatTheyReferTo()
    {
        var options = ScriptOptions.Default.WithReferences(typeof(object).Assembly, typeof(Enumerable).Assembly);
        var first = await CSharpScript.RunAsync("int factor = 3; int Triple(int x) => x * factor;", options);
        var second = await first.ContinueWithAsync("System.Func<int, int> f = x => Triple(x) + 1;");
        var function = (Func<int, int>)second.GetVariable("f").Value;
        using var silo = new SiloCode();
        var code = SiloCode.SnapshotOf(function.Method.Module.Assembly);
        Assert.Equal(2, code.Manifest.Items.Length);
        silo.Ship(code);
        using var lease = silo.Contexts.TryAcquire(code.Manifest.Id)!;
        var there = lease.Resolver.Resolve(function.Method.Module.Assembly.GetName().Name!, function.Method.Module.ModuleVersionId);
        Assert.NotNull(there.ManifestModule.ResolveMethod(function.Method.MetadataToken));
    }

    [Fact]
    public void Add_EmittedAssembly_IsRefusedByName()
    {
        var emitted = AssemblyBuilder.DefineDynamicAssembly(new AssemblyName("Emitted"), AssemblyBuilderAccess.Run);
        var error = Assert.Throws<JoblibException>(() => SiloCode.SnapshotOf(emitted));
        Assert.Contains("'Emitted'", error.Message);
        Assert.Contains("Reflection.Emit", error.Message);
    }

    [Fact]
    public void TryRead_PrecompiledAssemblyLoadedFromBytes_SaysWhyNot()
    {
        var assembly = new AssemblyLoadContext("bytes", isCollectible: true).LoadFromStream(new MemoryStream(File.ReadAllBytes(typeof(Enumerable).Assembly.Location)));
        Assert.Null(LoadedImage.TryRead(assembly, out var reason));
        Assert.Contains("ReadyToRun", reason);
    }

    [Fact]
    public void Add_ProgramBuiltAnewWhileItRuns_ShipsWhatRuns()
    {
        _program.Compile("Top", "public static class A { public static int F() => 1; }");
        var old = File.ReadAllBytes(_program.PathOf("Top"));
        var running = _program.Load("Top");
        _program.Compile("Top", "public static class A { public static int F() => 2; }");
        Assert.Equal(CodeHash.Of(old), SiloCode.SnapshotOf(running).Manifest.Items.Single().Hash);
    }

    [Fact]
    public void Add_SatelliteOfTheUiCulture_IsShipped()
    {
        _program.Compile("Top", "public static class A;");
        var satellite = Compiled.Emit("Top.resources", "[assembly: System.Reflection.AssemblyCulture(\"de\")]");
        Directory.CreateDirectory(Path.Combine(_program.Directory, "de"));
        File.WriteAllBytes(Path.Combine(_program.Directory, "de", "Top.resources.dll"), satellite);
        Directory.CreateDirectory(Path.Combine(_program.Directory, "fr"));
        File.WriteAllBytes(Path.Combine(_program.Directory, "fr", "Top.resources.dll"), satellite);
        var code = new CodeSet(uiCulture: "de-CH");
        code.Add(_program.Load("Top"));
        Assert.Equal([("Top", ""), ("Top.resources", "de")], code.Snapshot().Manifest.Items.Select(item => (item.Name, item.Culture)));
    }

    [Fact]
    public void Item_SaysWhatTheAssemblyWasCompiledFor()
    {
        _program.Compile("Says", "[assembly: System.Runtime.Versioning.TargetFramework(\".NETCoreApp,Version=v9.0\")] public static class A;");
        _program.Compile("Silent", "public static class A;");
        Assert.Equal(".NETCoreApp,Version=v9.0", SiloCode.SnapshotOf(_program.Load("Says")).Manifest.Items.Single().Framework);
        Assert.Equal($".NETCoreApp,Version=v{Environment.Version.Major}.0", SiloCode.SnapshotOf(_program.Load("Silent")).Manifest.Items.Single().Framework);
    }

    private static IEnumerable<string> Names(CodeSnapshot code) => code.Manifest.Items.Where(item => item.Kind == CodeItemKind.Assembly).Select(item => item.Name);
}
