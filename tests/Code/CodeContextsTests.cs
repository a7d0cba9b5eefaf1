using System.Diagnostics;
using System.Reflection;
using System.Runtime.CompilerServices;
using Orleans.Joblib.Silo;
using Xunit;

namespace Orleans.Joblib.Tests.Code;

public sealed class CodeContextsTests : IDisposable
{
    private static readonly TimeSpan Idle = CodeCacheOptions.DefaultIdleTime;

    private readonly Compiled _program = new();
    private readonly SiloCode _silo = new();

    public void Dispose()
    {
        _silo.Dispose();
        _program.Dispose();
    }

    [Fact]
    public void Acquire_ShippedProgram_RunsItsCodeAndWhatThatRefersTo()
    {
        _program.Compile("Lower", "public static class B { public static string F() => typeof(B).Assembly.GetName().Version.ToString(); }", "2.3.4.5", []);
        _program.Compile("Top", "public static class A { public static string F() => B.F(); }", "Lower");
        var top = _program.Load("Top");
        var code = SiloCode.SnapshotOf(top);
        Assert.Equal(2, _silo.Ship(code).Length);
        using var lease = _silo.Contexts.TryAcquire(code.Manifest.Id)!;
        Assert.Equal("2.3.4.5", SiloCode.Call(lease.Resolver, top, "A", "F"));
        Assert.NotSame(top, lease.Resolver.Resolve("Top", top.ManifestModule.ModuleVersionId));
    }

    [Fact]
    public void Register_KnownProgram_AsksForNothing()
    {
        _program.Compile("Top", "public static class A;");
        var code = SiloCode.SnapshotOf(_program.Load("Top"));
        Assert.Single(_silo.Ship(code));
        Assert.Empty(_silo.Ship(code));
        using var restarted = new SiloCode(_silo.Root);
        Assert.Empty(restarted.Ship(code));
    }

    [Fact]
    public void Acquire_UnknownCodeSet_IsNull() => Assert.Null(_silo.Contexts.TryAcquire(CodeHash.Of([1])));

    [Fact]
    public void Acquire_TwoBuildsOfOneProgram_RunSideBySide()
    {
        using var rebuilt = new Compiled();
        _program.Compile("Top", "public static class A { public static int F() => 1; }");
        rebuilt.Compile("Top", "public static class A { public static int F() => 2; }");
        var (one, two) = (_program.Load("Top"), rebuilt.Load("Top"));
        var (first, second) = (SiloCode.SnapshotOf(one), SiloCode.SnapshotOf(two));
        _silo.Ship(first);
        _silo.Ship(second);
        using var firstLease = _silo.Contexts.TryAcquire(first.Manifest.Id)!;
        using var secondLease = _silo.Contexts.TryAcquire(second.Manifest.Id)!;
        Assert.Equal((1, 2), (SiloCode.Call(firstLease.Resolver, one, "A", "F"), SiloCode.Call(secondLease.Resolver, two, "A", "F")));
        Assert.Throws<JoblibException>(() => firstLease.Resolver.Resolve("Top", two.ManifestModule.ModuleVersionId));
    }

    [Fact]
    public void Acquire_Twice_GivesTheSameResolver()
    {
        _program.Compile("Top", "public static class A;");
        var code = SiloCode.SnapshotOf(_program.Load("Top"));
        _silo.Ship(code);
        using var one = _silo.Contexts.TryAcquire(code.Manifest.Id)!;
        using var two = _silo.Contexts.TryAcquire(code.Manifest.Id)!;
        Assert.Same(one.Resolver, two.Resolver);
    }

    [Fact]
    public void Register_GrownCodeSet_GoesOnWithTheCodeThatIsLoaded()
    {
        _program.Compile("Counter", "public static class A { static int n; public static int F() => ++n; }");
        _program.Compile("Late", "public static class B { public static int F() => A.F(); }", "Counter");
        var (counter, late) = (_program.Load("Counter"), _program.Load("Late"));
        var code = new CodeSet();
        code.Add(counter);
        _silo.Ship(code.Snapshot());
        using var before = _silo.Contexts.TryAcquire(code.Snapshot().Manifest.Id)!;
        Assert.Equal(1, SiloCode.Call(before.Resolver, counter, "A", "F"));

        // A growth that this silo is never told of lies between.
        _program.Compile("Between", "public static class C;");
        code.Add(_program.Load("Between"));
        code.Snapshot();
        code.Add(late);
        Assert.Equal(["Between", "Late"], _silo.Ship(code.Snapshot()).Select(item => item.Name));
        using var after = _silo.Contexts.TryAcquire(code.Snapshot().Manifest.Id)!;
        Assert.Equal(2, SiloCode.Call(after.Resolver, late, "B", "F"));
        Assert.Equal(1, _silo.Contexts.LoadedCount);
    }

    [Fact]
    public void Register_SetThatGrewAnotherWayMeanwhile_GetsAContextOfItsOwn()
    {
        _program.Compile("Base", "public static class A;");
        using var other = new Compiled();
        _program.Compile("Plugin", "public static class B { public static int F() => 1; }");
        other.Compile("Plugin", "public static class B { public static int F() => 2; }");
        var (one, two) = (new CodeSet(), new CodeSet());
        var leases = new List<CodeLease>();
        foreach (var (set, plugin) in new[] { (one, _program.Load("Plugin")), (two, other.Load("Plugin")) })
        {
            set.Add(_program.Load("Base"));
            _silo.Ship(set.Snapshot());
            set.Add(plugin);
            _silo.Ship(set.Snapshot());
            leases.Add(_silo.Contexts.TryAcquire(set.Snapshot().Manifest.Id)!);
        }

        Assert.Equal(1, SiloCode.Call(leases[0].Resolver, _program.Load("Plugin"), "B", "F"));
        Assert.Equal(2, SiloCode.Call(leases[1].Resolver, other.Load("Plugin"), "B", "F"));
        leases.ForEach(lease => lease.Dispose());
    }

    [Fact]
    public void Idle_NoLease_IsUnloadedAndCollected()
    {
        var (id, context) = UseOnce();
        _silo.Time.Advance(Idle + TimeSpan.FromMinutes(1));
        Assert.Null(_silo.Contexts.TryAcquire(id));
        Patience.Until(
            () =>
            {
                GC.Collect();
                GC.WaitForPendingFinalizers();
                return !context.IsAlive && _silo.Contexts.CountUncollected() == 0;
            },
            "the context to be collected");
        Assert.Equal(0, _silo.Contexts.LoadedCount);
    }

    [Fact]
    public void Idle_LeaseIsHeld_StaysLoaded()
    {
        _program.Compile("Top", "public static class A { public static int F() => 1; }");
        var top = _program.Load("Top");
        var code = SiloCode.SnapshotOf(top);
        _silo.Ship(code);
        using var lease = _silo.Contexts.TryAcquire(code.Manifest.Id)!;
        _silo.Time.Advance(Idle * 10);
        Assert.Equal(1, SiloCode.Call(lease.Resolver, top, "A", "F"));
        Assert.Equal(1, _silo.Contexts.LoadedCount);
    }

    [Fact]
    public void Idle_UsedAgainInTime_StaysLoaded()
    {
        _program.Compile("Top", "public static class A;");
        var code = SiloCode.SnapshotOf(_program.Load("Top"));
        _silo.Ship(code);
        for (var i = 0; i < 5; i++)
        {
            _silo.Time.Advance(Idle * 0.9);
            _silo.Contexts.TryAcquire(code.Manifest.Id)!.Dispose();
        }
    }

    [Fact]
    public void Evict_CodeThatIsKnown_IsKeptUntilItIsUnloaded()
    {
        using var silo = new SiloCode(maxBytes: CodeCacheOptions.LeastMaxBytes);
        _program.Compile("Top", "public static class A { public static int F() => 1; }");
        var top = _program.Load("Top");
        var code = SiloCode.SnapshotOf(top);
        silo.Ship(code);
        for (var i = 0; i < 4; i++)
        {
            silo.Put(CodeStoreTests.Bytes(i, 10 << 20));
        }

        using (var lease = silo.Contexts.TryAcquire(code.Manifest.Id)!)
        {
            Assert.Equal(1, SiloCode.Call(lease.Resolver, top, "A", "F"));
        }

        silo.Time.Advance(Idle * 2);
        silo.Put(CodeStoreTests.Bytes(9, 16 << 20));
        Assert.DoesNotContain(code.Manifest.Items[0].Hash.ToString(), silo.Blobs);
    }

    [Fact]
    public void Register_CorruptCachedAssembly_IsAskedForAgain()
    {
        _program.Compile("Top", "public static class A { public static int F() => 1; }");
        var top = _program.Load("Top");
        var code = SiloCode.SnapshotOf(top);
        _silo.Ship(code);
        _silo.Contexts.Dispose();
        CodeStoreTests.Overwrite(_silo.BlobPath(code.Manifest.Items[0].Hash), 700, 0xAA);
        using var restarted = new SiloCode(_silo.Root);
        Assert.Equal(["Top"], restarted.Ship(code).Select(item => item.Name));
        using var lease = restarted.Contexts.TryAcquire(code.Manifest.Id)!;
        Assert.Equal(1, SiloCode.Call(lease.Resolver, top, "A", "F"));
    }

    [Fact]
    public void Resolve_AssemblyThatBecameCorruptAfterItWasKnown_IsAnErrorAndAskedForAgain()
    {
        _program.Compile("Top", "public static class A { public static int F() => 1; }");
        var top = _program.Load("Top");
        var code = SiloCode.SnapshotOf(top);
        _silo.Ship(code);
        CodeStoreTests.Overwrite(_silo.BlobPath(code.Manifest.Items[0].Hash), 700, 0xAA);
        using (var lease = _silo.Contexts.TryAcquire(code.Manifest.Id)!)
        {
            var error = Assert.Throws<JoblibException>(() => SiloCode.Call(lease.Resolver, top, "A", "F"));
            Assert.EndsWith("code-corrupt", error.HelpLink);
        }

        Assert.Null(_silo.Contexts.TryAcquire(code.Manifest.Id));
        Assert.Single(_silo.Ship(code));
        using var again = _silo.Contexts.TryAcquire(code.Manifest.Id)!;
        Assert.Equal(1, SiloCode.Call(again.Resolver, top, "A", "F"));
    }

    [Fact]
    public void Acquire_PieceOfWorkersIsGone_IsAskedForAgain()
    {
        _program.Compile("Top", "public static class A { public static int F() => 1; }");
        var code = SiloCode.SnapshotOf(_program.Load("Top"));
        _silo.Ship(code);
        var blob = _silo.BlobPath(code.Manifest.Items[0].Hash);
        using (var lease = _silo.Contexts.TryAcquire(code.Manifest.Id)!)
        {
            ((CodeContext)lease.Resolver).PrepareFrames();
            File.Delete(blob);
            Assert.Null(_silo.Contexts.TryAcquire(code.Manifest.Id));
        }

        Assert.Single(_silo.Ship(code));
        using var again = _silo.Contexts.TryAcquire(code.Manifest.Id)!;
        ((CodeContext)again.Resolver).PrepareFrames();
        Assert.True(File.Exists(blob));
    }

    [Fact]
    public void Read_PieceOfAWorkerThatIsGoneOrChanged_IsAnErrorThatSaysSo()
    {
        _program.Compile("Top", "public static class A;");
        var code = SiloCode.SnapshotOf(_program.Load("Top"));
        _silo.Ship(code);
        var item = code.Manifest.Items[0];
        var blob = _silo.BlobPath(item.Hash);
        var piece = new CodePiece(item.Kind, item.Name, item.Culture, item.Mvid, blob, item.Hash, default);
        Assert.Equal(item.Length, piece.ReadAll().Length);
        CodeStoreTests.Overwrite(blob, 700, 0xAA);
        Assert.EndsWith("#code-corrupt", Assert.Throws<JoblibException>(piece.ReadAll).HelpLink);
        Assert.False(File.Exists(blob));
        Assert.EndsWith("#code-corrupt", Assert.Throws<JoblibException>(piece.ReadAll).HelpLink);
    }

    [Fact]
    public void Resolve_AssemblyThatTheCodeSetDoesNotHold_IsNamed()
    {
        _program.Compile("Top", "public static class A;");
        var code = SiloCode.SnapshotOf(_program.Load("Top"));
        _silo.Ship(code);
        using var lease = _silo.Contexts.TryAcquire(code.Manifest.Id)!;
        var error = Assert.Throws<JoblibException>(() => lease.Resolver.Resolve("Nowhere", Guid.NewGuid()));
        Assert.Contains("'Nowhere'", error.Message);
        Assert.EndsWith("#code-missing", error.HelpLink);
    }

    [Fact]
    public void Register_AssemblyForANewerFramework_IsRefusedWithBothVersions()
    {
        _program.Compile("Future", "[assembly: System.Runtime.Versioning.TargetFramework(\".NETCoreApp,Version=v99.1\")] public static class A;");
        var error = Assert.Throws<JoblibException>(() => _silo.Ship(SiloCode.SnapshotOf(_program.Load("Future"))));
        Assert.Contains("'Future'", error.Message);
        Assert.Contains(".NET 99.1", error.Message);
        Assert.Contains($".NET {Environment.Version.Major}.{Environment.Version.Minor}", error.Message);
    }

    [Fact]
    public void Register_CodeForAnotherPlatform_IsRefusedWithBoth()
    {
        CodeItem[] items = [new(CodeItemKind.NativeLibrary, "x.dll", "", "", Guid.Empty, CodeHash.Of([1]), 1, "", "win-arm64")];
        var error = Assert.Throws<JoblibException>(() => _silo.Contexts.Register(CodeManifest.Create(items)));
        Assert.Contains("'win-arm64'", error.Message);
        Assert.Contains($"'{CodePlatform.Current}'", error.Message);
    }

    [Theory]
    [InlineData("../../evil.so")]
    [InlineData("/tmp/evil.so")]
    [InlineData("a\\evil.so")]
    [InlineData("..")]
    [InlineData("")]
    public void Register_NativeLibraryThatWouldLeaveItsDirectory_IsRefused(string name)
    {
        CodeItem[] items = [new(CodeItemKind.NativeLibrary, name, "", "", Guid.Empty, CodeHash.Of([1]), 1, "", "")];
        Assert.Throws<JoblibException>(() => _silo.Contexts.Register(CodeManifest.Create(items)));
    }

    [Fact]
    public void Register_ProgramLargerThanTheCache_IsRefused()
    {
        CodeItem[] items = [new(CodeItemKind.NativeLibrary, "x", "", "", Guid.Empty, CodeHash.Of([1]), long.MaxValue / 2, "", "")];
        Assert.Contains("MaxBytes", Assert.Throws<JoblibException>(() => _silo.Contexts.Register(CodeManifest.Create(items))).Message);
    }

    [Fact]
    public void Register_ManifestThatIsNotWhatItsIdSays_IsRefused() =>
        Assert.Throws<JoblibException>(() => _silo.Contexts.Register(new CodeManifest(CodeHash.Of([1]), [], [])));

    [Theory]
    [InlineData("-Wl,-rpath,$ORIGIN")]
    [InlineData("-Wl,-z,defs")]
    public void NativeLibraries_ThatAProgramCalls_AreShippedAndFoundByEachOther(string outerFlag)
    {
        Assert.SkipUnless(OperatingSystem.IsLinux() && File.Exists("/usr/bin/gcc"), "Needs gcc.");
        Gcc("inner", "int inner(void) { return 40; }", "-Wl,-soname,libinner.so");
        Gcc("outer", "int inner(void); int outer(void) { return inner() + 2; }", "-L.", "-linner", outerFlag);
        File.WriteAllText(
            Path.Combine(_program.Directory, "Native.deps.json"),
            """{"targets":{"net":{"Package/1.0.0":{"runtimeTargets":{"runtimes/linux-x64/native/libouter.so":{"rid":"linux-x64","assetType":"native"},"runtimes/linux-x64/native/libinner.so":{"rid":"linux-x64","assetType":"native"}}}}}}""");
        _program.Compile("Native", """
            public static class A
            {
                [System.Runtime.InteropServices.DllImport("outer")] static extern int outer();
                [System.Runtime.InteropServices.DllImport("libc")] static extern int getpid();
                public static int F() => getpid() > 0 ? outer() : -1;
            }
            """);
        var native = _program.Load("Native");
        var code = SiloCode.SnapshotOf(native);
        Assert.Equal(["Native", "libinner.so", "libouter.so"], code.Manifest.Items.Select(item => item.Name));
        _silo.Ship(code);
        foreach (var name in (string[])["libinner.so", "libouter.so"])
        {
            File.Delete(Path.Combine(_program.Directory, name));
        }

        using (var lease = _silo.Contexts.TryAcquire(code.Manifest.Id)!)
        {
            Assert.Equal(42, SiloCode.Call(lease.Resolver, native, "A", "F"));
        }

        Assert.Single(Directory.GetDirectories(Path.Combine(_silo.Root, "native")));
        _silo.Contexts.Dispose();
        Assert.Empty(Directory.GetDirectories(Path.Combine(_silo.Root, "native")));
    }

    [Theory]
    [InlineData("relative", CodeCacheOptions.DefaultMaxBytes, 600, "Directory")]
    [InlineData(null, 1, 600, "MaxBytes")]
    [InlineData(null, CodeCacheOptions.DefaultMaxBytes, 0, "IdleTime")]
    public void Options_OutOfRange_AreReportedByName(string? directory, long maxBytes, int idleSeconds, string named)
    {
        var options = new CodeCacheOptions { Directory = directory, MaxBytes = maxBytes, IdleTime = TimeSpan.FromSeconds(idleSeconds) };
        Assert.Contains($"CodeCacheOptions.{named} ", Assert.Single(new CodeCacheOptionsValidator().Validate(null, options).Failures!));
    }

    // In a method of its own: nothing on the test's stack may refer to the context.
    [MethodImpl(MethodImplOptions.NoInlining)]
    private (CodeHash Id, WeakReference Context) UseOnce()
    {
        _program.Compile("Top", "public static class A { static object kept = new A2(); public static int F() => kept is A2 ? 1 : 0; } public class A2;");
        var top = _program.Load("Top");
        var code = SiloCode.SnapshotOf(top);
        _silo.Ship(code);
        using var lease = _silo.Contexts.TryAcquire(code.Manifest.Id)!;
        Assert.Equal(1, SiloCode.Call(lease.Resolver, top, "A", "F"));
        return (code.Manifest.Id, new WeakReference(lease.Resolver, trackResurrection: true));
    }

    private void Gcc(string name, string source, params string[] flags)
    {
        File.WriteAllText(Path.Combine(_program.Directory, name + ".c"), source);
        using var gcc = Process.Start(new ProcessStartInfo("gcc", ["-shared", "-fPIC", "-o", $"lib{name}.so", name + ".c", .. flags]) { WorkingDirectory = _program.Directory })!;
        Assert.True(gcc.WaitForExit(Patience.Limit));
        Assert.Equal(0, gcc.ExitCode);
    }
}
