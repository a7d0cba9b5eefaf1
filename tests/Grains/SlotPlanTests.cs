using System.Net;
using Orleans.Joblib.Silo;
using Orleans.Runtime;
using Xunit;

namespace Orleans.Joblib.Tests.Grains;

public sealed class SlotPlanTests
{
    private static readonly SiloAddress A = SiloAddress.New(IPAddress.Loopback, 1, 1);
    private static readonly SiloAddress B = SiloAddress.New(IPAddress.Loopback, 2, 1);

    [Theory]
    [InlineData(4, 0, 4, 0, 2, 1, 1)]
    [InlineData(4, 3, 4, 0, 3, 0, 3)]
    [InlineData(2, 0, 8, 0, RunRequest.AllSlots, 2, 8)]
    [InlineData(2, 0, 8, 0, 100, 2, 8)]
    [InlineData(0, 0, 1, 5, 2, 0, 1)]
    [InlineData(2, 2, 2, 2, 3, 2, 1)]
    public void Make_TwoSilos_PrefersFreeWorkersAndNeverExceedsASilo(int sizeA, int grantedA, int sizeB, int grantedB, int requested, int expectedA, int expectedB)
    {
        var plan = SlotPlan.Make(new Dictionary<SiloAddress, SiloSlots> { [A] = Slots(sizeA, grantedA), [B] = Slots(sizeB, grantedB) }, requested);
        Assert.Equal((expectedA, expectedB), (plan.GetValueOrDefault(A), plan.GetValueOrDefault(B)));
    }

    [Fact]
    public void SlotKey_RoundTrip_KeepsRunNumberAndSilo()
    {
        var key = new SlotKey(Guid.NewGuid(), 17, B);
        Assert.Equal(key, SlotKey.Parse(key.ToString()));
        Assert.Equal(B, SlotKey.SiloOf(key.ToString()));
        Assert.Equal(A, SlotKey.SiloOf(SlotKey.ForSilo(A)));
        Assert.Throws<FormatException>(() => SlotKey.Parse("nonsense"));
    }

    private static SiloSlots Slots(int size, int granted) => new(Guid.Empty, size, granted, 0, 0, 0);
}
