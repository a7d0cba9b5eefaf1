using Orleans.Joblib.Tests.Code;
using Xunit;

namespace Orleans.Joblib.Tests.Arrays;

/// <summary>Arrays that come from another host, in parts.</summary>
public sealed class IncomingSegmentTests : IDisposable
{
    private const int Piece = ArrayHash.PieceBytes;

    private readonly TempFolder _folder = new(Directory.Exists("/dev/shm") ? "/dev/shm" : null);

    public IncomingSegmentTests() => Assert.SkipUnless(ArrayStore.IsSupported, "Arrays are shared on Linux.");

    public void Dispose() => _folder.Dispose();

    [Theory]
    [InlineData(1)]
    [InlineData(Piece)]
    [InlineData((3 * Piece) + 17)]
    public void Parts_InAnyOrderAndTwice_MakeTheArray(int length)
    {
        using var store = Store();
        var (bytes, content) = Content(length);
        using var incoming = store.TryReceive(content).Incoming!;
        var parts = Enumerable.Range(0, ContentHash.PieceCount(length)).ToArray();
        new Random(length).Shuffle(parts);
        var whole = 0;
        foreach (var part in parts.Concat(parts.Take(1)))
        {
            Assert.False(incoming.IsWhole && whole == 0);
            whole += incoming.Write((long)part * Piece, bytes.AsSpan(part * Piece, Math.Min(Piece, length - (part * Piece)))) ? 1 : 0;
        }

        Assert.Equal(1, whole);
        using var lease = incoming.Keep();
        Assert.Equal(bytes, File.ReadAllBytes(lease.Segment.Path));
        using var again = store.TryLease(content);
        Assert.Equal(lease.Segment.Path, again!.Segment.Path);
    }

    [Fact]
    public void Whole_ButChangedOnTheWay_IsRefusedAndGone()
    {
        var store = Store();
        var (bytes, content) = Content(3 * Piece);
        bytes[Piece + 5] ^= 1;
        using (var incoming = store.TryReceive(content).Incoming!)
        {
            incoming.Write(0, bytes);
            Assert.Equal("docs/errors.md#array-corrupt", Assert.Throws<JoblibException>(() => incoming.Keep()).HelpLink);
        }

        Assert.Null(store.TryLease(content));
        Assert.NotNull(store.TryReceive(content).Incoming);
        store.Dispose();
    }

    [Fact]
    public void Parts_ThatDoNotBelong_AreRefused()
    {
        using var store = Store();
        var (bytes, content) = Content((2 * Piece) + 1);
        using var incoming = store.TryReceive(content).Incoming!;
        foreach (var (offset, length) in ((long, int)[])[(1, Piece), (-Piece, Piece), (0, Piece - 1), (2 * Piece, 2), (3L * Piece, 1), (0, 0), (Piece, 2 * Piece)])
        {
            Assert.Equal("docs/errors.md#array-corrupt", Assert.Throws<JoblibException>(() => incoming.Write(offset, new byte[length])).HelpLink);
        }

        Assert.Equal(bytes.Length, content.Length);
    }

    [Fact]
    public void TwoStoresOfAHost_OneBringsIt()
    {
        using var first = Store();
        using var second = Store();
        var (bytes, content) = Content(Piece);
        var incoming = first.TryReceive(content).Incoming!;
        Assert.Equal((null, null), second.TryReceive(content));
        Assert.Equal((null, null), first.TryReceive(content));

        // The one that brings it gives up: the other may.
        incoming.Dispose();
        using var other = second.TryReceive(content).Incoming!;
        other.Write(0, bytes);
        using var lease = other.Keep();
        var (found, none) = first.TryReceive(content);
        Assert.Null(none);
        using (found)
        {
            Assert.Equal(lease.Segment.Path, found!.Segment.Path);
        }
    }

    [Fact]
    public void GivenUp_WhileItIsWritten_LeavesNothing()
    {
        var seed = Random.Shared.Next();
        for (var round = 0; round < 20; round++)
        {
            var store = Store();
            var (bytes, content) = Content(8 * Piece, seed + round);
            var incoming = store.TryReceive(content).Incoming!;
            using var ready = new Barrier(4);
            var threads = Enumerable.Range(0, 3).Select(number => new Thread(() =>
            {
                ready.SignalAndWait(Patience.Limit);
                try
                {
                    for (var part = number; part < 7; part++)
                    {
                        incoming.Write((long)part * Piece, bytes.AsSpan(part * Piece, Piece));
                    }
                }
                catch (ObjectDisposedException)
                {
                }
            })).ToList();
            threads.ForEach(thread => thread.Start());
            ready.SignalAndWait(Patience.Limit);
            incoming.Dispose();
            threads.ForEach(thread => Assert.True(thread.Join(Patience.Limit), $"seed {seed}"));
            store.Dispose();
            Assert.Empty(Directory.GetFileSystemEntries(_folder.Root));
        }
    }

    [Fact]
    public void LargerThanTheStore_SaysSo()
    {
        using var store = new ArrayStore(new ArrayStoreOptions { TempFolder = _folder.Root, MaxBytes = 4 * Piece });
        Assert.Equal("docs/errors.md#array-store-full", Assert.Throws<JoblibException>(() => store.TryReceive(Content(5 * Piece).Content)).HelpLink);

        // What nobody uses makes room.
        var (bytes, content) = Content(3 * Piece);
        using (var incoming = store.TryReceive(content).Incoming!)
        {
            incoming.Write(0, bytes);
            incoming.Keep().Dispose();
        }

        using var next = store.TryReceive(Content(4 * Piece, 2).Content).Incoming;
        Assert.NotNull(next);
    }

    // A host may clear shared memory at any time: logind does when the user has logged out.
    [Fact]
    public void FolderThatIsGone_SaysSo_AndTheArrayCanComeAgain()
    {
        using var store = Store();
        var (bytes, content) = Content(Piece);
        var incoming = store.TryReceive(content).Incoming!;
        incoming.Write(0, bytes);
        Directory.Delete(store.Folders[0], recursive: true);
        Assert.Equal("docs/errors.md#array-folder", Assert.Throws<JoblibException>(() => incoming.Keep()).HelpLink);
        incoming.Dispose();

        using (store.TryReceive(content).Incoming)
        {
            Directory.Delete(store.Folders[0], recursive: true);
        }

        using var again = store.TryReceive(content).Incoming!;
        again.Write(0, bytes);
        using var lease = again.Keep();
        Assert.Equal(bytes, File.ReadAllBytes(lease.Segment.Path));
    }

    [Fact]
    public void FirstFolderWithoutRoomForAClaim_UsesTheSecond()
    {
        using var disk = SmallDisk.TryMount(8 << 20, files: 16);
        Assert.SkipWhen(disk is null, "A small file system cannot be mounted here.");
        using var store = new ArrayStore([disk.Directory, _folder.Root]);
        Assert.Throws<IOException>(() => Enumerable.Range(0, 16).ToList().ForEach(i => File.WriteAllText(Path.Combine(disk.Directory, $"{i}"), "")));
        var (bytes, content) = Content(Piece);
        using var incoming = store.TryReceive(content).Incoming!;
        incoming.Write(0, bytes);
        using var lease = incoming.Keep();
        Assert.StartsWith(_folder.Root, lease.Segment.Path, StringComparison.Ordinal);
    }

    // Whoever finds an array while another thread of this process brings it and is done with it: it is in use then, and not kept for later.
    [Fact]
    public void Found_WhileAnotherBroughtIt_IsInUse()
    {
        var seed = Random.Shared.Next();
        using var store = Store();
        for (var round = 0; round < 300; round++)
        {
            var (bytes, content) = Content(1000, seed + round);
            var incoming = store.TryReceive(content).Incoming!;
            incoming.Write(0, bytes);
            using var ready = new Barrier(2);
            var bringing = new Thread(() =>
            {
                ready.SignalAndWait(Patience.Limit);
                incoming.Keep().Dispose();
            });
            bringing.Start();
            ready.SignalAndWait(Patience.Limit);
            ArrayLease? found;
            while ((found = store.TryLease(content)) is null)
            {
            }

            Assert.True(bringing.Join(Patience.Limit), $"seed {seed}");
            Assert.True(store.IdleBytes == 0, $"seed {seed}, round {round}");
            found.Dispose();
            store.Trim(0);
        }
    }

    [Fact]
    public void Token_OfAnotherFolderOrForged_ProvesNothing()
    {
        using var token = StoreToken.Write(_folder.Root);
        Assert.True(OperatingSystem.IsWindows() || File.GetUnixFileMode(token.Path) == (UnixFileMode.UserRead | UnixFileMode.UserWrite));
        Assert.True(token.IsProvenBy(StoreToken.Prove(token.Path)));
        Assert.False(token.IsProvenBy(null));
        Assert.False(token.IsProvenBy(new byte[32]));
        using (var other = StoreToken.Write(_folder.Root))
        {
            Assert.False(token.IsProvenBy(StoreToken.Prove(other.Path)));
        }

        File.Copy(token.Path, _folder["t-" + Guid.NewGuid().ToString("n")]);
        foreach (var path in (string[])["/etc/passwd", Directory.GetFiles(_folder.Root)[0], token.Path + "x", "t", Path.Combine(Path.GetDirectoryName(token.Path)!, "seed")])
        {
            Assert.Null(StoreToken.Prove(path));
        }
    }

    [Fact]
    public async Task Token_InAMountNamespaceWithTheSamePath_ProvesNothing()
    {
        using var host = MountNamespace.TryCreate(out var reason);
        Assert.SkipWhen(host is null, reason);
        Assert.StartsWith("/dev/shm", _folder.Root, StringComparison.Ordinal);
        using var token = StoreToken.Write(_folder.Root);
        using var here = ChildProcess.Start("ArrayHolderProgram", [_folder.Root]);
        await here.LineAsync("array-holder ready");
        here.Say($"prove {token.Path}");
        Assert.True(token.IsProvenBy(Convert.FromHexString((await here.LineAsync("prove "))[6..])));
        using var there = ChildProcess.Start("ArrayHolderProgram", [_folder.Root], prefix: host.Prefix);
        await there.LineAsync("array-holder ready");
        there.Say($"prove {token.Path}");
        Assert.Equal("prove ", await there.LineAsync("prove "));
    }

    private static (byte[] Bytes, ArrayContent Content) Content(int length, int seed = 1)
    {
        var bytes = new byte[length];
        new Random(seed).NextBytes(bytes);
        var pieces = Enumerable.Range(0, ContentHash.PieceCount(length)).Select(index => ArrayHash.OfPiece(bytes.AsSpan(index * Piece, Math.Min(Piece, length - (index * Piece))), 7)).ToArray();
        return (bytes, ContentHash.Of(pieces, 7, length));
    }

    private ArrayStore Store() => new(new ArrayStoreOptions { TempFolder = _folder.Root });
}
