using Xunit;

namespace Orleans.Joblib.Tests.Hosting;

public sealed class ClusterAddressTests
{
    [Fact]
    public void Parse_RedisWithEverything_ReadsAllOfIt()
    {
        var address = ClusterAddress.Parse("rediss://me:p%40ss@one:7000,[::1]:7001,three/2?cluster=grid%20A&tls-ca=%2Fca.pem");
        Assert.True(address is { IsRedis: true, RedisTls: true, User: "me", Password: "p@ss", Database: 2, Cluster: "grid A" });
        Assert.Equal([("one", 7000), ("::1", 7001), ("three", null)], address.Endpoints);
        Assert.Equal("/ca.pem", address.Tls["tls-ca"]);
    }

    [Theory]
    [InlineData("localhost:30000", "localhost", 30000)]
    [InlineData("localhost", "localhost", null)]
    [InlineData(" 10.0.0.5:1 ", "10.0.0.5", 1)]
    [InlineData("[fe80::1]:5", "fe80::1", 5)]
    [InlineData("fe80::1", "fe80::1", null)]
    public void Parse_Gateway_IsNotRedis(string text, string host, int? port)
    {
        var address = ClusterAddress.Parse(text);
        Assert.False(address.IsRedis);
        Assert.Equal([(host, port)], address.Endpoints);
        Assert.Equal("joblib", address.Cluster);
    }

    [Fact]
    public void Parse_PasswordOnly_HasNoUser() => Assert.True(ClusterAddress.Parse("redis://:secret@host") is { User: null, Password: "secret" });

    [Theory]
    [InlineData("http://host", "'http://' is not known")]
    [InlineData("", "a host is missing")]
    [InlineData("redis://", "a host is missing")]
    [InlineData("redis://host:0", "'0' is no port")]
    [InlineData("redis://host:70000", "'70000' is no port")]
    [InlineData("redis://host/x", "'x' is no database number")]
    [InlineData("redis://host?cluster=", "'cluster' has no value")]
    [InlineData("redis://host?clutser=a", "'clutser' is not one of")]
    [InlineData("user:pw@localhost", "for Redis only")]
    public void Parse_Fault_IsNamed(string text, string fault) => Assert.Contains(fault, Assert.Throws<ArgumentException>(() => ClusterAddress.Parse(text)).Message);

    [Fact]
    public void Parse_TwoFaults_AreReportedTogetherWithoutThePassword()
    {
        var message = Assert.Throws<ArgumentException>(() => ClusterAddress.Parse("redis://:secret@host:x?a=b")).Message;
        Assert.Contains("'x' is no port", message);
        Assert.Contains("'a' is not one of", message);
        Assert.DoesNotContain("secret", message);
    }

    [Theory]
    [InlineData("redis://:Secr?t42@host")]
    [InlineData("redis://user:Secret42")]
    [InlineData("redis://user:Secret42?cluster=a")]
    [InlineData("redis://me:Sec@ret?42@host")]
    [InlineData("redis://123456789:4242424242")]
    public void Parse_PasswordNotEncodedOrHostForgotten_NoPieceOfItIsInTheMessage(string text)
    {
        var message = Assert.Throws<ArgumentException>(() => ClusterAddress.Parse(text)).Message;
        Assert.DoesNotContain("Sec", message);
        Assert.DoesNotContain("ret", message);
        Assert.DoesNotContain("42", message);
        Assert.Contains("percent-encoded", message);
    }

    [Fact]
    public void ToString_HasNeitherUserNorPassword() => Assert.Equal("redis://host:1/3?cluster=c", ClusterAddress.Parse("redis://me:secret@host:1/3?cluster=c").ToString());
}
