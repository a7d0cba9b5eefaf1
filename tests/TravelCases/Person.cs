namespace TravelCases;

public sealed record Person(string Name, int Age)
{
    public Person? Friend { get; set; }
}
